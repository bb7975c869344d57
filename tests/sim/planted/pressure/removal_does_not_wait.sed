# src/reclaim/registry.c
# Who takes an entry out does not wait for those who stand on it.
/^bool registry_remove/,/^\}/ s/while \(found && e->pins\)/while (found \&\& e->pins > 64)/
