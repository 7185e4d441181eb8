export { age } from "./age/backend.ts";
