# src/sync/mutex.c
# Who had to sleep for a mutex does not say, once it has it, that others may be asleep too.
/^void mutex_take/,/^\}/ s/while \(atom_xchg\(&m->word, 2u\) != 0\)/for (u32 s = 0; !mutex_try(m) \&\& (s = 1, atom_cas(\&m->word, \&s, 2u) || s == 2 || s == 0);)/
