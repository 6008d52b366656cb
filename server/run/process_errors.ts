/**
 * Errors that nobody caught, wherever in the process they come from.
 *
 * @module
 */

/** Where such errors come from: the process, or a test. */
export interface ErrorSource {
  /** Calls `listener` with each of them from now on; the process goes on then. Returns how to end that. */
  listen(listener: (error: unknown) => void): () => void;
}

/** This process: what a timer or a socket's callback throws, and what a promise rejects with that nobody waits for. */
export const processErrors: ErrorSource = {
  listen(listener) {
    const onError = (event: ErrorEvent): void => {
      event.preventDefault();
      listener(event.error);
    };
    const onRejection = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      listener(event.reason);
    };
    addEventListener("error", onError);
    addEventListener("unhandledrejection", onRejection);
    return () => {
      removeEventListener("error", onError);
      removeEventListener("unhandledrejection", onRejection);
    };
  },
};
