/** Embeds an agent, joins the cluster at the given addresses, answers a query until Ctrl-C: `deno run -A docs/embed.ts 10.0.0.5:7946`. */
import { Agent } from "@skein/agent";

await using agent = await Agent.start({
  nodeName: "embedded",
  bind: Deno.env.get("BIND") ?? "0.0.0.0",
  startJoin: Deno.args,
  tags: { role: "worker" },
  handlers: {
    "query:uptime": () => `${Math.round(performance.now() / 1000)} s`,
    "user:deploy": ({ payload }) => console.log("deploy", payload?.text()),
  },
});
console.log("members:", agent.members().map(({ name }) => name).sort().join(" "));

await new Promise<void>((stop) => Deno.addSignalListener("SIGINT", stop));
await agent.leave();
