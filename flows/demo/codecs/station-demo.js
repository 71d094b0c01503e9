/** Simulated heat-island station. */
function decodeUplink(input) {
  if (input.fPort !== 3) return { errors: ['unknown FPort'] };
  var b = input.bytes;
  if (b.length !== 4) return { errors: ['4 bytes expected'] };
  var raw = (b[0] << 8) | b[1];
  return { data: { temperature: (raw > 32767 ? raw - 65536 : raw) / 10, humidity: b[2] / 2, battery: b[3] / 10 } };
}
