/** A file that is imported `with { type: "file" }` is the path at which it can be read. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}

/** Files of our own pages, which are imported as text. */
declare module "*.htm" {
  const text: string;
  export default text;
}
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.svg" {
  const text: string;
  export default text;
}
declare module "*/home.js" {
  const text: string;
  export default text;
}
