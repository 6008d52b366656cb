package main

import "sort"

// disorder finds two changes, of whatever keys, of which the second started when the first had ended, and has no higher revision:
// all changes have one order. It is nil when there are none.
func disorder(history *History) []*Operation {
	var starting []*Operation
	for _, group := range history.Groups {
		for _, one := range group.Operations {
			if one.Changes() {
				starting = append(starting, one)
			}
		}
	}
	ending := append([]*Operation(nil), starting...)
	sort.Slice(starting, func(i, j int) bool { return starting[i].Start < starting[j].Start })
	sort.Slice(ending, func(i, j int) bool { return ending[i].End < ending[j].End })
	var highest *Operation
	ended := 0
	holders := map[int64]*Operation{}
	for _, one := range starting {
		for ; ending[ended].End < one.Start; ended++ {
			if highest == nil || ending[ended].Rev > highest.Rev {
				highest = ending[ended]
			}
		}
		if highest != nil && highest.Rev >= one.Rev {
			return []*Operation{highest, one}
		}
		if holder := holders[one.Rev]; holder != nil {
			return []*Operation{holder, one}
		}
		holders[one.Rev] = one
	}
	return nil
}
