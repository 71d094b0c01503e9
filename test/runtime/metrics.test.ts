import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/runtime/metrics.ts';

describe('metrics', () => {
  it('renders counters, gauges and histograms as OpenMetrics text', () => {
    const metrics = new Metrics();
    metrics.count('cigale_frames_rejected_total', 'Frames', { source: 'a', reason: 'bad-checksum' }, 2);
    metrics.gauge('cigale_backlog_records', 'Backlog', 7, { stream: 'ville' });
    metrics.observe('cigale_commit_seconds', 'Commits', 0.02);
    const text = metrics.render();
    expect(text).toContain('# TYPE cigale_frames_rejected counter\n');
    expect(text).toContain('cigale_frames_rejected_total{source="a",reason="bad-checksum"} 2\n');
    expect(text).toContain('cigale_backlog_records{stream="ville"} 7\n');
    expect(text).toContain('cigale_commit_seconds_bucket{le="0.01"} 0\n');
    expect(text).toContain('cigale_commit_seconds_bucket{le="0.05"} 1\n');
    expect(text).toContain('cigale_commit_seconds_bucket{le="+Inf"} 1\n');
    expect(text).toContain('cigale_commit_seconds_count 1\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('escapes label values', () => {
    const metrics = new Metrics();
    metrics.count('x_total', 'X', { port: 'a"b\\c\nd' });
    expect(metrics.render()).toContain('x_total{port="a\\"b\\\\c\\nd"} 1');
  });

  it('counts series beyond its bound together, so that hostile labels cannot grow memory', () => {
    const metrics = new Metrics();
    for (let index = 0; index < 5000; index += 1) metrics.count('x_total', 'X', { device: String(index) });
    expect(metrics.total('x_total')).toBe(5000);
    expect(metrics.render().split('\n').length).toBeLessThan(2010);
    expect(metrics.render()).toContain('x_total{overflow="true"} 3000');
  });
});
