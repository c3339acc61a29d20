import { ask, silentAddress } from "../shared/ask.ts";
import { progress } from "../shared/progress.ts";

/** Concurrent POSTs of one name through all registries, name by name: exactly one must win each. */
export async function contest(urls: string[], names: number, posts: number): Promise<string[]> {
  const faults: string[] = [];
  for (let name = 0; name < names; name++) {
    const answers = await Promise.all(
      Array.from({ length: posts }, (_, i) =>
        ask(urls[i % urls.length] ?? "", "POST", "/v1/users", {
          body: { user: `contest-${name}`, address: silentAddress(i + 1) },
        }),
      ),
    );
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    if (count(200) !== 1 || count(409) !== posts - 1) {
      faults.push(`contest-${name}: ${count(200)} × 200 and ${count(409)} × 409`);
    }
    const winner = answers.findIndex(({ status }) => status === 200) + 1;
    for (const url of urls) {
      const { json } = await ask(url, "GET", `/v1/users/contest-${name}`);
      if (json.port !== winner)
        faults.push(`contest-${name}: ${url} shows ${json.port}, the winner is ${winner}`);
    }
    progress(name + 1, names, `names, ${faults.length} faults`);
  }
  return faults;
}
