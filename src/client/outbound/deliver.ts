/** One text to some users, without being one: nothing listens, and nobody is registered. */

import { TalkError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/message.ts";
import type { UserName } from "../../core/schemas.ts";
import { connectRegistry } from "../registry/api.ts";
import { contactRuleFor, routeTo } from "../registry/route.ts";
import { type Report, reportOf } from "../session/report.ts";
import { createOutbox } from "./outbox.ts";

/** What became of the text on its way to each user, in their order. Never rejects but for a fault of ours. */
export async function deliver(
  { from, text, registry: url }: { from: UserName; text: string; registry: string },
  to: readonly UserName[],
): Promise<Report[]> {
  const registry = connectRegistry(url);
  try {
    const body = encodeMessage({ user: from, text });
    const [route, users] = await Promise.all([routeTo(registry.url), registry.list()]);
    const lookUp = async (user: UserName) => (await registry.list()).get(user);
    const outbox = createOutbox(lookUp, undefined, contactRuleFor(route));
    try {
      return await Promise.all(
        to.map(async (user) => reportOf(await outbox.send(user, users.get(user), body))),
      );
    } finally {
      outbox.close();
    }
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    return to.map(() => ({ type: "failed", reason: error.message }));
  }
}
