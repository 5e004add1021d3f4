# Stands in for the prefab package of fbjni; nothing of ours includes it.
add_library(fbjni::fbjni INTERFACE IMPORTED GLOBAL)
