/**
 * Loopback addresses for tests that open sockets, each file with its own, so that files run beside each other, and two runs on
 * one machine, without a list of who has which.
 *
 * @module
 */

/** Who listens here has the address. The system gives out no such port by itself, and no test uses it. */
const CLAIM_PORT = 21_217;

/** The third and fourth number are from here on ... */
const LEAST = 100;
/** ... one of so many: all have three digits, so that addresses are equally long. */
const CHOICES = 100;

/** Tries to find one of ten thousand addresses that nobody has. */
const ATTEMPTS = 1_000;

/**
 * An address from 127.0.100.100 to 127.0.199.199 that nobody else on this machine has until this file's tests are over: the
 * claim is a listening socket, which the system takes back whatever happens. Call it outside of tests, as their sanitizers would
 * find the socket.
 */
export function loopback(): string {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const numbers = crypto.getRandomValues(new Uint16Array(2)).map((n) => LEAST + n % CHOICES);
    const host = `127.0.${numbers.join(".")}`;
    if (isClaimed(host)) return host;
  }
  throw new Error(`None of ${ATTEMPTS} loopback addresses is free`);
}

function isClaimed(host: string): boolean {
  try {
    Deno.listen({ hostname: host, port: CLAIM_PORT });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
