"""PostgreSQL and Redis as child processes, from binaries that come with pip packages.

For `make run` and `make test` on a machine that has neither. No Django in here, and nothing is changed
outside the folder it is given and the system's temporary area: the PostgreSQL wheel's own start function
is not used, because as root it opens every parent folder to everybody.

`services.Services` starts both; `python -m apps.core.embedded.clean` removes what they keep.
"""
