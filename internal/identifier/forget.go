package identifier

import (
	"sync/atomic"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"
)

var forgotten atomic.Bool

// ForgetPhones frees the numbering plans of the world, which are the greater part of all objects in a small process: each
// garbage collection looks at every one of them. It is for processes that read no numbers: Phone refuses all of them
// afterwards. It must not run beside Phone.
func ForgetPhones() {
	if forgotten.Swap(true) {
		return
	}
	for _, plans := range []func() (*phonenumbers.PhoneMetadataCollection, error){
		phonenumbers.MetadataCollection, phonenumbers.ShortNumberMetadataCollection,
	} {
		all, err := plans()
		if err != nil {
			continue // they are there already, so this cannot be
		}
		for _, plan := range all.GetMetadata() {
			proto.Reset(plan)
		}
	}
}
