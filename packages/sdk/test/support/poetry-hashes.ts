/** What Poetry 2.5.1 writes as the content hash of these pyprojects. */
export const poetryHashes: readonly { readonly name: string; readonly pyproject: string; readonly hash: string }[] = [
  {
    name: "classic, with an extra",
    pyproject: `[tool.poetry]
name="a"
version="1"
[tool.poetry.dependencies]
python="^3.11"
six="^1.16"
requests={version="^2", extras=["socks"], optional=true}
[tool.poetry.extras]
net=["requests"]
`,
    hash: "2b7f6fa74355d94cdd81bcb355418c9014fe59f096587d55bc10b105b002533d",
  },
  {
    name: "classic, with a group and a source",
    pyproject: `[tool.poetry]
package-mode=false
[tool.poetry.dependencies]
python="^3.11"
[tool.poetry.group.dev.dependencies]
pytest="*"
[[tool.poetry.source]]
name="x"
url="https://é.example/\\u007f\\"\\\\"
priority="explicit"
`,
    hash: "a17800197baae2554642eb86fe7d18257d1bbf6cc8e32f33fadcf2345164f1b4",
  },
  {
    name: "standard",
    pyproject: `[project]
name="a"
version="1"
requires-python=">=3.10"
dependencies=["six>=1"]
[project.optional-dependencies]
net=["requests"]
`,
    hash: "f099b351195fcc870c24d942e7970cc2ebe722cf90cdcfb9e0152edbf9845778",
  },
  {
    name: "standard, with dependencies of Poetry's own",
    pyproject: `[project]
name="a"
version="1"
dynamic=["dependencies"]
[tool.poetry.dependencies]
six={git="https://x/y.git", tag="v1", n=1, f=1.0, big=123456789012345678901234567890}
[tool.poetry.group.my_group]
optional=true
[tool.poetry.group.my_group.dependencies]
idna="*"
`,
    hash: "8a02d8c7dc0df89dffc53f5048da4f13b4c63915e0894993abe6f4ff650f3259",
  },
  {
    name: "with standard groups",
    pyproject: `[project]
name="a"
version="1"
dependencies=["six"]
[dependency-groups]
dev=["idna", {include-group="x"}]
x=[]
`,
    hash: "da6989ce2c5c29587f34426e2e8558bf90300a32cbda0bff6352f60903329b22",
  },
  {
    name: "standard groups alone",
    pyproject: `[dependency-groups]
dev=["idna"]
`,
    hash: "466eac90a30f3c2ecdcf0644eb6ac275f8b00c5754b9e174f125b561dcf075aa",
  },
  {
    name: "with the oldest kind of group",
    pyproject: `[tool.poetry]
name="a"
[tool.poetry.dependencies]
python="3.11"
[tool.poetry.dev-dependencies]
pytest="^7"
`,
    hash: "762c52ae6ff721109080869f41f15231387c760a409f6a633bc8cd97008569cf",
  },
];
