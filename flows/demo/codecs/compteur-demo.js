/** Simulated foot and bicycle counter: passes since the uplink before. */
function decodeUplink(input) {
  if (input.fPort !== 2) return { errors: ['unknown FPort'] };
  var b = input.bytes;
  if (b.length !== 5) return { errors: ['5 bytes expected'] };
  return { data: { pedestrians: (b[0] << 8) | b[1], bicycles: (b[2] << 8) | b[3], battery: b[4] / 10 } };
}
