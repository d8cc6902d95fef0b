// Package telemetry owns what operators see of the running sidecar: figures for Prometheus, OpenTelemetry traces, and the
// request's id in every line of the log. Nothing of it is about anybody: what becomes a label or an attribute is bounded
// and known at the start. Where the figures are served, and what is worth a line in the log, is left to others.
package telemetry
