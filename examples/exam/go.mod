module exam

go 1.19
