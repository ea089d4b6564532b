"""The only place with the keys to the hosts: takes requests from Zuul's jobs, and answers them one by one.

A job's key may only run `xenci-bastion request`, as a user without a key; that puts a request into the spool
and watches. systemd starts `xenci-bastion work` whenever the spool holds a request, as the user with
the keys: it ends neither with the connection nor with the job or Zuul, and is started again after a crash.
"""
