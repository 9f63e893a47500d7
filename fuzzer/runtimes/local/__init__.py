"""Services as plain processes of this machine, under supervisord: no container engine needed."""
