package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit of CPU times in /proc; Linux has 100 a second everywhere (proc(5), USER_HZ).
const tick = 10 * time.Millisecond

// cpuTime is what a process, its ended children and its live descendants have used.
func cpuTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // it has just ended: its parent counts it
	}
	// Fields after the command's name, which may hold anything: 11 to 14 are utime, stime, cutime, cstime.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	total := time.Duration(0)
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatalf("read the CPU time of %d: %v", pid, err)
		}
		total += time.Duration(n) * tick
	}
	for _, child := range childrenOf(pid) {
		total += cpuTime(t, child)
	}
	return total
}

// machineTime is what the whole machine has worked, all processes together (proc(5), /proc/stat: user, nice, system, irq,
// softirq).
func machineTime(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	total := time.Duration(0)
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			t.Fatalf("read what the machine has worked: %v", err)
		}
		total += time.Duration(n) * tick
	}
	return total
}

func childrenOf(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, l := range lists {
		content, err := os.ReadFile(l)
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(content)) {
			if n, err := strconv.Atoi(f); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

// memory reads a line of a process's status or smaps_rollup, such as "VmHWM" or "Pss", in MiB, and adds up the process
// and its descendants.
func memory(t testing.TB, pid int, file, name string) float64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0
	}
	total := 0.0
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatalf("read %s of %d: %v", name, pid, err)
			}
			total = kib / 1024
			break
		}
	}
	for _, child := range childrenOf(pid) {
		total += memory(t, child, file, name)
	}
	return total
}
