# src/phys/kmap_local.c
# Another task takes the slot and writes to its link before it is read.
/^void __kunmap_local/,/^\}/ s/^\t\t\*word = windows\.slot\[slot\]\.below;/\t\tatom_store_rel(\&windows.slot[slot].count, 0u);\n\t\tport_point();\n&\n\t\treturn;/
