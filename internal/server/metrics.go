package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type metrics struct {
	requests      *prometheus.CounterVec
	operations    *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	sockets       prometheus.Gauge
	closes        *prometheus.CounterVec
	subscriptions *prometheus.GaugeVec
}

func newMetrics(reg *prometheus.Registry, places *places) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commons_http_requests_total", Help: "HTTP requests by status.",
		}, []string{"status"}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commons_graphql_operations_total", Help: "GraphQL operations by type and by the code of the first error, or OK.",
		}, []string{"type", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "commons_graphql_operation_seconds", Help: "Duration of GraphQL queries and mutations.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"type"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "commons_sockets_open", Help: "Open websockets.",
		}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commons_sockets_closed_total", Help: "Websockets by the close code that we sent; 0 when the peer ended it.",
		}, []string{"code"}),
		subscriptions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "commons_subscriptions_live", Help: "Running subscriptions by transport.",
		}, []string{"transport"}),
	}
	executing := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "commons_operations_executing", Help: "Operations that execute now.",
	}, func() float64 {
		n, _ := places.counts()
		return float64(n)
	})
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "commons_operations_waiting", Help: "Operations that wait for a place among those that execute.",
	}, func() float64 {
		_, n := places.counts()
		return float64(n)
	})
	for _, c := range []prometheus.Collector{
		executing, waiting,
		m.requests, m.operations, m.durations, m.sockets, m.closes, m.subscriptions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) request(status int) { m.requests.WithLabelValues(strconv.Itoa(status)).Inc() }

func (m *metrics) operation(kind, code string, took time.Duration) {
	m.operations.WithLabelValues(kind, code).Inc()
	if kind == "query" || kind == "mutation" {
		m.durations.WithLabelValues(kind).Observe(took.Seconds())
	}
}

func (m *metrics) handler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

func (m *metrics) closed(code int) { m.closes.WithLabelValues(strconv.Itoa(max(code, 0))).Inc() }
