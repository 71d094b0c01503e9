import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sdi12Crc, xorChecksum } from '../../src/decode/lines/line-checksum.ts';
import { channel, lines } from './lines-bench.ts';

const gill = (inside: string, sum = xorChecksum(inside)): string => `\u0002${inside}\u0003${sum}`;

describe('csv', () => {
  const wind = channel('2', 'windSpeed');

  it('reads columns, quoted or not, with any separator', () => {
    expect(lines('csv', [wind])('a,b,5.5')).toEqual([5.5]);
    expect(lines('csv', [wind])('"2017-09-14 17:23:00","say ""a,b""","5.5",x')).toEqual([5.5]);
    expect(lines('csv', [wind], { separator: '\t' })('a\tb\t5.5')).toEqual([5.5]);
    expect(lines('csv', [wind], { separator: ' ' })('  a   b  5.5')).toEqual([5.5]);
    expect(lines('csv', [wind])('"a,b,5.5')).toBe('malformed');
    expect(lines('csv', [wind])('"a"b,c,5.5')).toBe('malformed');
    expect(lines('csv', [wind])('"a","b",')).toEqual([[null, 'missing']]);
  });

  it('learns column names from a header line, again whenever one comes', () => {
    const read = lines('csv', [channel('T', 'airTemperature'), channel('RH', 'relativeHumidity')]);
    expect(read('20,50')).toBe('no-channel');
    expect(read('T,RH')).toEqual([]);
    expect(read('20,50')).toEqual([20, 50]);
    expect(read('20,50,1')).toBe('malformed');
    expect(read('RH,x,T')).toEqual([]);
    expect(read('50,1,20')).toEqual([20, 50]);
  });

  it('reads a TOA5 table with its four header lines', () => {
    const read = lines('csv', [channel('AirTC_Avg', 'airTemperature'), channel('RH', 'relativeHumidity')]);
    const table = [
      '"TOA5","AWS8","CR1000","1","CR1000.Std","CPU:prog.CR1","1","table"',
      '"TIMESTAMP","RECORD","AirTC_Avg","RH"',
      '"TS","RN","Deg C","%"',
      '"","","Avg","Smp"',
    ];
    for (const line of table) expect(read(line)).toEqual([]);
    expect(read('"2017-09-14 17:23:00",0,26.73,"NAN"')).toEqual([26.73, [null, 'invalid']]);
  });

  it('checks the checksum of an STX ETX frame, and finds the frame behind a line that was cut off', () => {
    const read = lines('csv', [wind], { address: 'Q' });
    expect(read(gill('Q,170,000.08,'))).toEqual([0.08]);
    expect(read(`\u0002Q,17${gill('Q,170,000.08,')}`)).toEqual([0.08]);
    expect(read(gill('Q,170,000.08,', '00'))).toBe('bad-checksum');
    expect(read(gill('Q,170,000.08,', 'zz'))).toBe('bad-checksum');
    expect(read(gill('Q,170,000.08,', ''))).toEqual([0.08]);
    expect(read('Q,170,000.08,\u000355')).toBe('malformed');
    expect(read('\u0002Q,170,000.08,')).toBe('malformed');
    expect(read(gill('R,170,000.08,'))).toBe('other-address');
    const strict = lines('csv', [wind], { checksum: 'required' });
    expect(strict(gill('Q,170,000.08,', ''))).toBe('missing-checksum');
    expect(strict('Q,170,000.08')).toBe('missing-checksum');
    expect(lines('csv', [wind], { checksum: 'none' })(gill('Q,170,000.08,', '00'))).toEqual([0.08]);
  });

  it('notices any single changed character in a frame with a checksum', () => {
    const read = lines('csv', [wind]);
    const line = gill('Q,170,000.08,1019.5');
    fc.assert(
      fc.property(fc.nat({ max: line.length - 1 }), fc.integer({ min: 0x20, max: 0x7e }), (at, code) => {
        const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + 1);
        fc.pre(changed.toUpperCase() !== line.toUpperCase());
        expect(['bad-checksum', 'malformed']).toContain(read(changed));
      }),
    );
  });
});

describe('keyvalue', () => {
  const wind = channel('Sm', 'windSpeed');
  const direction = channel('Dm', 'windDirection');

  it('reads key=value fields with units and other tokens between them', () => {
    const read = lines('keyvalue', [channel('T', 'airTemperature'), channel('P', 'pressure')], { separator: ' ' });
    expect(read('ST1 T=20.5  P=1.0058bar OK')).toEqual([20.5, [1005.8, 'unit-converted']]);
    expect(read('ST1 T=')).toEqual([[null, 'missing']]);
    expect(lines('keyvalue', [wind], { address: 'ST1' })('ST2,Sm=3')).toBe('other-address');
    expect(lines('keyvalue', [wind], { address: 'ST1' })('ST1,Sm=3')).toEqual([3]);
    expect(lines('keyvalue', [wind], { checksum: 'required' })('Sm=3')).toBe('missing-checksum');
  });

  it('converts the unit letters of a weather transmitter and makes # invalid', () => {
    const read = lines('keyvalue', [wind, channel('Pa', 'pressure'), channel('Rc', 'rainfall')]);
    expect(read('0R0,Sm=10.0N,Pa=1.0058B,Rc=0.50M')).toEqual([
      [5.14444444444, 'unit-converted'],
      [1005.8, 'unit-converted'],
      0.5,
    ]);
    expect(read('0R0,Sm=36.0K,Pa=1003.2H')).toEqual([[10, 'unit-converted'], 1003.2]);
    expect(read('0R1,Sm=0.0#')).toEqual([[null, 'invalid']]);
    expect(read('0R1,Sm=5.0C')).toBe('bad-value');
    expect(read('0R1,Sm=5.0')).toBe('malformed');
  });

  it('rejects lines in which two messages overlapped', () => {
    const read = lines('keyvalue', [wind]);
    expect(read('0R1,Dn=0m=032D,Sm=0.1M')).toBe('malformed');
    expect(read('0R1,Sm=0.1M,Sm=0.2M')).toBe('malformed');
  });

  it('checks and removes the CRC of a lower-case r before it splits', () => {
    const read = lines('keyvalue', [wind, direction], { address: '0' });
    const body = '0r1,Dm=066D,Sm=9.5M';
    expect(read(body + sdi12Crc(body))).toEqual([9.5, 66]);
    expect(read(`${body}aaa`)).toBe('bad-checksum');
    expect(read(body)).toBe('bad-checksum');
    expect(lines('keyvalue', [wind], { checksum: 'none' })(`${body}aaa`)).toEqual([9.5]);
    expect(lines('keyvalue', [wind], { checksum: 'required' })('0R1,Sm=9.5M')).toBe('missing-checksum');
    const other = '1r1,Sm=9.5M';
    expect(read(other + sdi12Crc(other))).toBe('other-address');
  });
});

describe('json', () => {
  it('follows paths, takes numbers as strings, and passes over what is not asked for', () => {
    const read = lines('json', [channel('/wind/0/v', 'windSpeed'), channel('t', 'airTemperature')]);
    expect(read('{"wind":[{"v":"3.5"}],"t":20.25,"x":[1,{}]}')).toEqual([3.5, 20.25]);
    expect(read('{"t":null}')).toEqual([[null, 'missing']]);
    expect(read('{"t":""}')).toEqual([[null, 'missing']]);
    expect(lines('json', [channel('/a~1b/m~0n', 'number')])('{"a/b":{"m~n":1}}')).toEqual([1]);
  });

  it('refuses what is not a value or not JSON', () => {
    const read = lines('json', [channel('t', 'number')]);
    for (const line of ['{"t":true}', '{"t":{}}', '{"t":[1]}']) expect(read(line)).toBe('bad-value');
    for (const line of ['{"t":1', '', '{"t":NaN}', '{"t":01}']) expect(read(line)).toBe('malformed');
    for (const line of ['[]', '5', '{"T":1}', '{"__proto__":{"t":1}}']) expect(read(line)).toBe('no-channel');
    expect(lines('json', [channel('toString', 'number')])('{}')).toBe('no-channel');
  });

  it('bounds the depth, brackets in strings aside', () => {
    const read = lines('json', [channel('t', 'number')]);
    expect(read(`{"t":1,"deep":${'['.repeat(15)}${']'.repeat(15)}}`)).toEqual([1]);
    expect(read(`{"t":1,"deep":${'['.repeat(16)}${']'.repeat(16)}}`)).toBe('malformed');
    expect(read(`{"t":1,"text":"\\"${'['.repeat(40)}"}`)).toEqual([1]);
  });

  it('selects lines by a member, so that each class of a radar can be a channel of its own', () => {
    const count = channel('/max_speed_mps', 'vehicleCount', { scale: 0, offset: 1 });
    const read = lines('json', [count], { address: '/classifier=object_outbound' });
    expect(read('{"classifier":"object_outbound","max_speed_mps":13.39}')).toEqual([1]);
    expect(read('{"classifier":"object_inbound","max_speed_mps":13.39}')).toBe('other-address');
    expect(lines('json', [count], { address: '7' })('{"address":7,"max_speed_mps":1}')).toEqual([1]);
  });
});

describe('regex', () => {
  it('reads named and numbered groups, with the unit and state that the line gives', () => {
    const pattern = '^(?<level>[\\d.]+) (?<unit>dB), (?:OK|(?<invalid>\\w+))$';
    const read = lines('regex', [channel('level', 'LAeq')], { pattern });
    expect(read('53.8 dB, OK')).toEqual([53.8]);
    expect(read('53.8 dB, OVLD')).toEqual([[null, 'invalid']]);
    expect(read('53.8 dB')).toBe('malformed');
    const numbered = lines('regex', [channel('2', 'airTemperature'), channel('1', 'number')], {
      pattern: '(\\d+):(\\S*)',
    });
    expect(numbered('7:20.5')).toEqual([20.5, 7]);
    expect(numbered('7:')).toEqual([[null, 'missing'], 7]);
    const each = lines('regex', [channel('t', 'airTemperature')], { pattern: '(?<t>\\S+) (?<t_unit>[CF])' });
    expect(each('68 F')).toEqual([[20, 'unit-converted']]);
  });

  it('checks and removes an SDI-12 CRC where a checksum is required', () => {
    const pattern = '^0(?<a>[+-][\\d.]+)(?<b>[+-][\\d.]+)?$';
    const read = lines('regex', [channel('a', 'number'), channel('b', 'number')], { pattern, checksum: 'required' });
    expect(read('0+3.14OqZ')).toEqual([3.14]);
    expect(read('0+3.15OqZ')).toBe('bad-checksum');
    expect(read('0+3.14')).toBe('missing-checksum');
    expect(read('0AP@')).toBe('malformed');
  });

  it('knows lines of other addresses', () => {
    const named = lines('regex', [channel('v', 'number')], { pattern: '^(?<address>.)(?<v>[+-].*)', address: '1' });
    expect(named('1+5')).toEqual([5]);
    expect(named('2+5')).toBe('other-address');
    const plain = lines('regex', [channel('1', 'number')], { pattern: 'v=(.*)', address: 'A' });
    expect(plain('A v=5')).toEqual([5]);
    expect(plain('B v=5')).toBe('other-address');
    expect(plain('B')).toBe('other-address');
  });

  it('ends a pattern that backtracks without end, and goes on', () => {
    const read = lines('regex', [channel('1', 'number')], { pattern: '^(?:a+)+(\\d)$' });
    expect(read(`${'a'.repeat(60)}!`)).toBe('decoder-error');
    expect(read('aaa7')).toEqual([7]);
    const wide = lines('regex', [channel('1', 'number')], { pattern: '.*.*.*.*.*.*(x)' });
    expect(wide('y'.repeat(1000))).toBe('decoder-error');
    const adjacent = lines('regex', [channel('1', 'number')], { pattern: '(\\d+)(\\d+)\\d+[0-9]+\\d{1,}x' });
    expect(adjacent('1'.repeat(1000))).toBe('decoder-error');
    expect(read('a'.repeat(2000))).toBe('malformed');
  });
});

describe('nmea', () => {
  const sentence = (body: string): string => `$${body}*${xorChecksum(body)}`;
  const wind = channel('MWV:3', 'windSpeed');
  const direction = channel('MWV:1', 'windDirection');

  it('reads fields whoever talks, with the unit that follows them', () => {
    const read = lines('nmea', [direction, wind]);
    expect(read(sentence('IIMWV,344.0,R,005.9,M,A'))).toEqual([344, 5.9]);
    expect(read(sentence('WIMWV,90,R,010.00,N,A'))).toEqual([90, [5.14444444444, 'unit-converted']]);
    expect(read(sentence('WIMWV,90,R,036.00,K,A'))).toEqual([90, [10, 'unit-converted']]);
    expect(read(sentence('WIMWV,,R,,M,A'))).toEqual([
      [null, 'missing'],
      [null, 'missing'],
    ]);
  });

  it('never assumes the unit of a wind speed', () => {
    expect(lines('nmea', [wind])(sentence('WIMWV,90,R,5.0,,A'))).toBe('bad-value');
    expect(lines('nmea', [channel('MWV:3', 'windSpeed', { unit: 'm/s' })])(sentence('WIMWV,90,R,5.0,,A'))).toEqual([5]);
  });

  it('makes the values of a sentence invalid when its status is not A', () => {
    expect(lines('nmea', [direction, wind])(sentence('WIMWV,90,R,5.0,M,V'))).toEqual([
      [null, 'invalid'],
      [null, 'invalid'],
    ]);
    expect(lines('nmea', [direction])(sentence('WIMWV,90,R,5.0,M'))).toEqual([[null, 'invalid']]);
  });

  it('finds transducers by name or type', () => {
    const read = lines('nmea', [
      channel('XDR:TEMP', 'airTemperature'),
      channel('XDR:P', 'pressure'),
      channel('XDR:RH', 'relativeHumidity'),
    ]);
    expect(read(sentence('WIXDR,C,+023.0,C,TEMP,P,1.0199,B,PRESS,H,039.6,P,RH'))).toEqual([
      23,
      [1019.9, 'unit-converted'],
      39.6,
    ]);
    expect(read(sentence('WIXDR,C,+023.0,C,OTHER'))).toBe('no-channel');
    expect(lines('nmea', [channel('XDR:2', 'airTemperature')])(sentence('YXXDR,C,16,C'))).toEqual([16]);
  });

  it('checks the checksum as it is asked to', () => {
    expect(lines('nmea', [direction])('$WIMWV,90,R,010.00,N,A*01')).toBe('bad-checksum');
    expect(lines('nmea', [direction])('$WIMWV,90,R,010.00,N,A*')).toBe('bad-checksum');
    expect(lines('nmea', [direction])('$WIMWV,90,R,010.00,N,A')).toEqual([90]);
    expect(lines('nmea', [direction], { checksum: 'required' })('$WIMWV,90,R,010.00,N,A')).toBe('missing-checksum');
    expect(lines('nmea', [direction], { checksum: 'none' })('$WIMWV,90,R,010.00,N,A*01')).toEqual([90]);
  });

  it('finds the sentence behind one that was cut off, and other talkers', () => {
    const good = sentence('WIMWV,90,R,010.00,M,A');
    expect(lines('nmea', [direction])(`$WIMWV,12${good}`)).toEqual([90]);
    expect(lines('nmea', [direction], { address: 'II' })(good)).toBe('other-address');
    expect(lines('nmea', [direction])('hello')).toBe('malformed');
    expect(lines('nmea', [direction])('')).toBe('malformed');
  });
});
