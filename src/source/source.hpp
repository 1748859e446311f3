// Source: where a tree to be packaged comes from. The packager walks it through these interfaces and knows no file system.
//
// Errors of single files and directories are Code::source: the run goes on without them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/entry.hpp"
#include "os/status.hpp"

namespace mbu::source {

// One name in a directory, as it was when the directory was listed.
struct Item {
  std::string name;
  os::FileStatus status;
};

// A file being read. Reads are by position: any thread.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  // As it is now; of another type than regular when something else had taken the file's name before it was opened;
  // what the other functions say of that is of no use.
  [[nodiscard]] virtual os::FileStatus status() const = 0;
  // Fewer bytes than asked for only at the end.
  [[nodiscard]] virtual std::size_t read_at(MutableBytes to, std::uint64_t offset) const = 0;
  // Where data is; ascending, not touching. What lies between is hole.
  [[nodiscard]] virtual std::vector<format::DataRun> data_runs() const = 0;
  [[nodiscard]] virtual std::vector<format::Attribute> attributes() const = 0;
};

// A directory held open while anything in it is worked on. Any thread, but list() is called once.
class Directory {
 public:
  virtual ~Directory() = default;
  using OnError = std::function<void(const std::string& name, const Error& error)>;
  // What is selected in it, sorted by name. A name that cannot be looked at is told to `on_error` and left out.
  [[nodiscard]] virtual std::vector<Item> list(const OnError& on_error) = 0;
  // The item of that name as list() would give it; nothing when it is not there or not selected. Code::source. One thread at a time, and
  // not beside list().
  [[nodiscard]] virtual std::optional<Item> find(const std::string& name) {
    for (auto& item : list([](const std::string&, const Error& error) { throw error; })) {
      if (item.name == name) return std::move(item);
    }
    return std::nullopt;
  }
  [[nodiscard]] virtual std::shared_ptr<Directory> open_directory(const Item& item) const = 0;
  [[nodiscard]] virtual std::unique_ptr<OpenFile> open_file(const Item& item) const = 0;
  // Everything of the entry but its content, its link group and its attributes.
  [[nodiscard]] virtual format::Entry describe(const Item& item) const = 0;
  // Of what is no regular file: those of a file come from the open file.
  [[nodiscard]] virtual std::vector<format::Attribute> attributes(const Item&) const { return {}; }
};

class Source {
 public:
  virtual ~Source() = default;
  // The directory "/".
  [[nodiscard]] virtual std::shared_ptr<Directory> root() = 0;
};

}  // namespace mbu::source
