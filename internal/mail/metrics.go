package mail

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	results                        *prometheus.CounterVec
	sent, retried, failed, dropped prometheus.Counter
	waiting                        prometheus.Gauge
}

func newMetrics() *metrics {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "commons_mails_total", Help: "Attempts to send mail by what came of them: sent, retried, failed for good, dropped since there was nothing to say any more.",
	}, []string{"result"})
	return &metrics{
		results: results,
		sent:    results.WithLabelValues("sent"),
		retried: results.WithLabelValues("retried"),
		failed:  results.WithLabelValues("failed"),
		dropped: results.WithLabelValues("dropped"),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "commons_mails_waiting", Help: "Mails in the queue of all processes, as of a minute ago at most.",
		}),
	}
}

// Collectors are the sender's metrics.
func (s *Sender) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.metrics.results, s.metrics.waiting}
}
