-- The house's own store. Times are HH:MM and dates YYYY-MM-DD in the house's zone; money is in cents.

create table policy (
  one integer primary key check (one = 1),
  check_out text not null,
  free_until text not null,
  latest text not null,
  check_in text not null,
  cleaning_minutes integer not null,
  price_minor integer not null check (price_minor >= 0),
  currency text not null
) strict;

create table rooms (
  number text primary key
) strict;

-- Who is in the house, and who will be: `expected` stays take a room over.
create table stays (
  id integer primary key,
  room text not null references rooms (number),
  arrival text not null,
  departure text not null check (departure >= arrival),
  status text not null check (status in ('in_house', 'expected', 'departed')),
  -- When the guest may come, if that was agreed.
  ready_by text
) strict;
create index stays_by_room on stays (room, status);

-- One late check-out for a stay; a later wish replaces it, and the replaced one stays on record. `key` is the deed's
-- name: the same deed is done once.
create table late_check_outs (
  reference integer primary key,
  key text not null unique,
  stay integer not null references stays (id),
  status text not null check (status in ('booked', 'replaced')),
  day text not null,
  until text not null,
  price_minor integer not null,
  currency text not null,
  booked_at text not null
) strict;
create unique index one_late_check_out on late_check_outs (stay) where status = 'booked';

-- A line for every change, never changed itself.
create table audit (
  id integer primary key,
  at text not null,
  actor text not null,
  deed text not null,
  subject text not null,
  detail text not null
) strict;
create trigger audit_stands before update on audit begin select raise(abort, 'audit lines stand'); end;
create trigger audit_stays before delete on audit begin select raise(abort, 'audit lines stay'); end;
