#ifndef _INCLUDED_synapses_give_codeobject
#define _INCLUDED_synapses_give_codeobject

void _run_synapses_give_codeobject();

void _debugmsg_synapses_give_codeobject();

#endif
