# SPDX-License-Identifier: Apache-2.0
about="four sqlite3 at once take turns on the core: the same code four times over"
packages="dash sqlite3"
references=34
prepare() {
  cat >commands <<'END'
create table item(id integer primary key, name text, price integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 250)
  insert into item select i, 'item' || (i * 7919 % 2003), i * 48271 % 9973 from n;
create index by_price on item(price);
select count(*), sum(price) from item where name between 'item2' and 'item4';
select count(*) from item a join item b on a.price = b.price and a.id < b.id;
END
  cat >script <<'END'
for number in 1 2 3 4; do
  /usr/bin/sqlite3 -batch -init /dev/null :memory: ".read commands" &
done
wait
END
}
program=(root/bin/dash script)
