// Stands for the package openpgp in the standalone executable. That is under the LGPL, which asks for the means to
// exchange it; there PGP keys are for gpg.
const absent = new Error("openpgp is not part of the standalone executable");
absent.code = "ERR_MODULE_NOT_FOUND";
throw absent;
