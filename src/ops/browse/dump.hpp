// What is at a path of a snapshot, as one stream of bytes.
#pragma once

#include <functional>
#include <string>

#include "repo/chunk_index.hpp"
#include "repo/context.hpp"

namespace mbu::ops {

// A regular file becomes its bytes, holes being zeros; a directory (also "/") an archive: "tar" or "zip", else Code::usage.
// `write` gets the bytes in order, in pieces of up to some MiB; what it throws ends the dump.
//
// Names in an archive are paths within the snapshot without the leading slash, as restic's are: /home/me/a dumped from
// /home/me is `home/me/a`. The directory has an entry of its own, its parents have none. What lies in it comes depth first in
// order of names; of several names of one file the first carries it (tar). Sockets, and what zip has no entries for, are left
// out with a note.
//
// Every chunk is verified before its bytes are written; Code::corrupt ends the dump and leaves an archive without its end.
// Code::not_found when nothing is there, Code::failed when what is there is neither a file nor a directory. Memory: some
// blocks, and the names of hard links. One thread.
void dump(const repo::Context& context, const repo::ChunkIndex& index, const ChunkId& root, const std::string& path,
          const std::string& archive, const std::function<void(ByteView)>& write);

}  // namespace mbu::ops
