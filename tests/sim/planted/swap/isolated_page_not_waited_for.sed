# src/pool/lru.c
# A page is taken off the lists while another task has it in its hands.
/^static bool page_try_leave/,/^\}/ s/bool idle = .*/bool idle = true;/
