/** Clients over HTTP. */
import { type BuildEvent, type Router, RPC_PATH } from "@lamina/api";
import { createTRPCClient, httpLink, httpSubscriptionLink, retryLink, splitLink } from "@trpc/client";
import { EventSource } from "eventsource";

export type HttpClient = ReturnType<typeof httpClient>;

export function httpClient(url: string, token: string) {
  const authorization = `Bearer ${token}`;
  const address = new URL(RPC_PATH, url);
  return createTRPCClient<Router>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({
          url: address.href,
          EventSource,
          eventSourceOptions: { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization } }) },
        }),
        false: [
          retryLink({ retry: ({ error, attempts }) => attempts < 50 && !error.shape, retryDelayMs: () => 100 }),
          httpLink({ url: address, headers: { authorization } }),
        ],
      }),
    ],
  });
}

/** A build's feed to its end, over as many connections as it takes. */
export function followOverHttp(client: HttpClient, build: string): Promise<{ readonly id: string; readonly event: BuildEvent }[]> {
  return new Promise((resolve, reject) => {
    const events: { readonly id: string; readonly event: BuildEvent }[] = [];
    client.builds.follow.subscribe(
      { id: build },
      { onData: ({ id, data }) => events.push({ id, event: data }), onComplete: () => resolve(events), onError: reject },
    );
  });
}
