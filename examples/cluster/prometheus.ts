/** OpenTelemetry's metrics, where Prometheus fetches them: `/metrics` on a port of its own. */
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

/**
 * Call it before `qrLogin()` and `keyvAdapter()`: an instrument belongs to the meter provider that was there when it was made.
 * @returns how to end it
 */
export async function serveMetrics(port: number, host: string): Promise<() => Promise<void>> {
  const exporter = new PrometheusExporter({ port, host, preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  metrics.setGlobalMeterProvider(provider);
  await exporter.startServer();
  return () => provider.shutdown();
}
