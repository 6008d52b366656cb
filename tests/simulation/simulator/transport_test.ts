import { DEFAULT_PORT, Simulation } from "../../support/simulation/simulation.ts";
import { type RunInWorld, transportSuite } from "../../support/transport_suite.ts";

transportSuite("simulated transport", inSimulation(1));

function inSimulation(seed: number): RunInWorld {
  return async (test) => {
    const simulation = new Simulation(seed, { latencyMs: [1, 1] });
    const hosts = { a: "10.0.0.1", b: "10.0.0.2" };
    const body = test({
      open: (name) => Promise.resolve(simulation.addHost(hosts[name]).transport),
      refusing: () => {
        const { localAddress } = simulation.addHost("10.0.0.3").transport;
        simulation.kill("10.0.0.3");
        return Promise.resolve(localAddress);
      },
      resetting: () => {
        const { transport } = simulation.addHost("10.0.0.5");
        transport.start({
          packet: () => {},
          stream: (stream) => void stream.read().then(() => simulation.kill("10.0.0.5")),
        });
        return Promise.resolve(transport.localAddress);
      },
      silent: () => Promise.resolve({ host: "10.0.0.4", port: DEFAULT_PORT }),
    });
    await simulation.settle(body);
  };
}
