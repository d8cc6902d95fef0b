// Package message owns mails from their cause to their end: composed and sealed for the outbox, rendered, and handed to a
// transport by workers that outlive no request. In a stealthy flow it is the only place that asks whether an address is
// taken. Where messages are stored is package state's business.
package message
