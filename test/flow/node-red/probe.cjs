/** Stand-ins for the Cigale nodes inside a real Node-RED: they tell what they were given and whom their messages reach. */
module.exports = (RED) => {
  const started = (RED.settings.probe.started = []);
  const arrivals = (RED.settings.probe.arrivals = []);
  const probe = (outputs, passesOn) =>
    function Probe(config) {
      RED.nodes.createNode(this, config);
      const { id, type, place, device, address, minCoverage } = config;
      started.push({ id, type, place, device, address, minCoverage });
      this.on('input', (message, send, done) => {
        arrivals.push(`${message.from} > ${id}`);
        if (passesOn) send(message);
        done();
      });
      this.emitAll = () => {
        for (let output = 0; output < outputs; output += 1) {
          const messages = Array.from({ length: outputs }, (_, index) =>
            index === output ? { from: `${id}:${output}` } : null,
          );
          this.send(messages);
        }
      };
    };
  const types = { gateway: 0, broker: 0, port: 0, serial: 2, noise: 2, send: 0 };
  for (const [name, outputs] of Object.entries(types)) RED.nodes.registerType(`cigale-${name}`, probe(outputs, false));
  RED.nodes.registerType('foreign', probe(1, false));
};
