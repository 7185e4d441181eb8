/** The prime of Curve25519 and the constant of its Edwards form. */
const P = 2n ** 255n - 19n;
const D = mod(-121665n * invert(121666n));

/**
 * The X25519 public key that belongs to an Ed25519 public key: u = (1 + y) / (1 - y).
 *
 * @param publicKey - 32 bytes, RFC 8032
 * @returns undefined if it is no point of the curve, or the one that has no counterpart
 * @see RFC 7748, 4.1
 */
export function ed25519ToX25519PublicKey(publicKey: Uint8Array): Uint8Array | undefined {
  const encoded = Buffer.from(publicKey).reverse();
  encoded[0] = (encoded[0] ?? 0) & 0x7f; // the sign of x, which u does not depend on
  const y = BigInt(`0x${encoded.toString("hex")}`);
  if (y >= P || y === 1n || !isOnCurve(y)) return undefined;
  const u = mod((1n + y) * invert(1n - y));
  return Buffer.from(u.toString(16).padStart(64, "0"), "hex").reverse();
}

/** Whether there is an x with -x² + y² = 1 + dx²y², by Euler's criterion. */
function isOnCurve(y: bigint): boolean {
  const xSquared = mod((y * y - 1n) * invert(D * y * y + 1n));
  return xSquared === 0n || power(xSquared, (P - 1n) / 2n) === 1n;
}

function invert(value: bigint): bigint {
  return power(mod(value), P - 2n);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % P) {
    if ((rest & 1n) === 1n) result = (result * square) % P;
  }
  return result;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}
