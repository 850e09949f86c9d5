#ifndef _INCLUDED_synapses_give_push_spikes
#define _INCLUDED_synapses_give_push_spikes

void _run_synapses_give_push_spikes();


#endif
