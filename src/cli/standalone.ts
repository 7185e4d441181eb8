import { start } from "./start.ts";

// The entry of the standalone executable, whose `argv[1]` is the name it was built under, whatever it is called now.
start(process.argv0);
