# src/phys/contig.c
# Who cuts a run does not take its reference: a free that needs no lock may have the run by then.
/^static enum page_verdict run_cut/,/^\}/ {
	s/held < 1 \|\| !atom_cas\(&head->refcount, &held, 0\)/held < 1/
	/atom_store_rel\(&head->refcount, held\);/d
}
