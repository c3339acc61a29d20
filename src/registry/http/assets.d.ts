/** A file imported `with { type: "file" }`: its path. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}

/** Files of our own pages, imported as text. */
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
