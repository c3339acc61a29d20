/** What Talk uses of TypeBox's validator. A module of its own, so that a bundle leaves out the rest. */
export { Check, Compile, Errors } from "typebox/schema";
