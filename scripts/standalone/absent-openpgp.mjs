// Stands for the package openpgp in the standalone executable (docs/standalone.md): PGP keys are for gpg there.
import { SopsError } from "../../src/errors.ts";

throw new SopsError("ERR_OPTIONAL_PACKAGE", "this executable does not contain openpgp; install gpg");
