# SPDX-License-Identifier: Apache-2.0
about="builds a database of 2000 rows with an index, and queries it: sqlite3, in memory"
packages="sqlite3"
references=51
prepare() {
  cat >commands <<'END'
create table item(id integer primary key, name text, price integer, kind integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
  insert into item select i, 'item' || (i * 7919 % 2003), i * 48271 % 9973, i % 37 from n;
create index by_price on item(price);
select kind, count(*), sum(price) from item group by kind order by 3 desc limit 5;
select count(*) from item a join item b on a.price = b.price and a.id < b.id;
update item set price = price + 1 where kind = 5;
delete from item where price % 11 = 0;
select count(*), avg(price) from item where name between 'item2' and 'item4';
END
}
program=(root/usr/bin/sqlite3 -batch -init /dev/null :memory: ".read commands")
