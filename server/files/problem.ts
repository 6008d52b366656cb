/**
 * Failed file operations in the words of Go.
 *
 * @module
 */

/**
 * What the operating system says of a failed file operation, in Go's words: without code and operation. It may have been
 * the cause of another error.
 */
export function fileProblem(cause: unknown): string {
  if (cause instanceof Error && cause.cause instanceof Error) return fileProblem(cause.cause);
  if (cause instanceof Deno.errors.NotFound) return "no such file or directory";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.IsADirectory) return "is a directory";
  const text = cause instanceof Error ? cause.message : String(cause);
  const [, said] = /^(.+?) \(os error \d+\)/.exec(text) ?? [];
  return said === undefined ? text : said.charAt(0).toLowerCase() + said.slice(1);
}
