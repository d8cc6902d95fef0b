// Package timerslack makes a program wake less often: where many processes share few cores, each wake-up takes a core from
// somebody who computes.
package timerslack
