# SPDX-License-Identifier: Apache-2.0
about="an interpreter: python starts and builds a tree of 2000 objects, then searches it"
packages="python3.11-minimal libpython3.11-minimal"
references=104
prepare() {
  cat >tree.py <<'END'
class Node:
    def __init__(self, key):
        self.key, self.left, self.right = key, None, None

def insert(root, key):
    while True:
        side = "left" if key < root.key else "right"
        child = getattr(root, side)
        if child is None:
            setattr(root, side, Node(key))
            return
        root = child

key = 1
root = Node(1 << 30)
for _ in range(2000):
    key = key * 48271 % 2147483647
    insert(root, key)
print(root.left.key, root.right.key)
END
}
program=(root/usr/bin/python3.11 -S -B tree.py)
