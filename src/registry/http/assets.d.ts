/** A file that is imported `with { type: "file" }` is the path at which it can be read. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}
