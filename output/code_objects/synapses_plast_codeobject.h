#ifndef _INCLUDED_synapses_plast_codeobject
#define _INCLUDED_synapses_plast_codeobject

void _run_synapses_plast_codeobject();

void _debugmsg_synapses_plast_codeobject();

#endif
