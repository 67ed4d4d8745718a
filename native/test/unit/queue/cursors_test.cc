#include "core/queue/cursors.h"

#include <doctest/doctest.h>

using zoo::Cursor;
using zoo::Cursors;

TEST_CASE("a cursor that was settled is never mistaken for a later one in its place") {
  Cursors<int> cursors;
  const Cursor one = cursors.add(1);
  cursors.remove(one);
  const Cursor two = cursors.add(2);
  CHECK(one != two);
  CHECK(cursors.find(one) == nullptr);
  REQUIRE(cursors.find(two) != nullptr);
  CHECK(*cursors.find(two) == 2);
  CHECK(cursors.out() == 1);
}

TEST_CASE("numbers that were never cursors find nothing") {
  Cursors<int> cursors;
  for (Cursor cursor : {Cursor{-1}, Cursor{0}, Cursor{1} << 52, Cursor{5}})
    CHECK(cursors.find(cursor) == nullptr);
  const Cursor one = cursors.add(1);
  CHECK(cursors.find(one + 1) == nullptr);
  cursors.clear();
  CHECK(cursors.find(one) == nullptr);
  CHECK(cursors.out() == 0);
}
