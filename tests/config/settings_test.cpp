#include "config/settings.hpp"

#include <gtest/gtest.h>

#include <string>

#include "config/search.hpp"
#include "mbu/types/error.hpp"

namespace mbu::config {
namespace {

const Anchors kAnchors{"/home/anna", "/home/anna/.config/mbu"};

Settings parse(std::string_view text) { return parse_settings(text, "config.toml", kAnchors); }

// What a file is refused for: "config.toml: line N: …"; empty and a failed test when it is not.
std::string refusal(std::string_view text) {
  try {
    (void)parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(Settings, OfAnEmptyFileAreTheDefaults) {
  const Settings settings = parse("");
  EXPECT_EQ(settings.package_directory, "/home/anna/mbu-packages");
  EXPECT_EQ(settings.restore_directory, "/home/anna/mbu-restored");
  EXPECT_EQ(settings.module, "repository");
  EXPECT_EQ(settings.kdf, "argon2id");
  EXPECT_FALSE(settings.poll_interval_ms.has_value());
}

TEST(Settings, OfTheDefaultFileAreTheDefaults) {
  const Settings written = parse(default_file());
  const Settings built_in = default_settings(kAnchors);
  EXPECT_EQ(written.package_directory, built_in.package_directory);
  EXPECT_EQ(written.restore_directory, built_in.restore_directory);
  EXPECT_EQ(written.module, built_in.module);
  EXPECT_EQ(written.compression, built_in.compression);
  EXPECT_EQ(written.excludes, built_in.excludes);
  EXPECT_EQ(written.watcher_module, built_in.watcher_module);
  EXPECT_EQ(written.settle_ms, built_in.settle_ms);
  EXPECT_EQ(written.max_delay_ms, built_in.max_delay_ms);
  EXPECT_EQ(written.poll_interval_ms, built_in.poll_interval_ms);
  EXPECT_EQ(written.kdf, built_in.kdf);
  EXPECT_EQ(written.push, built_in.push);
}

TEST(Settings, ReadEveryKey) {
  const Settings settings = parse(R"(
[packer]
package_directory = "/srv/packages"
restore_directory = "restored"
module = "package"
compression = 7
exclude = ["*.tmp", "/var/cache"]
[watcher]
module = "poll"
settle = "1s"
max_delay = "1m30s"
poll_interval = "5s"
[keys]
kdf = "pbkdf2"
[pigeon]
push = ["/mnt/disk"]
)");
  EXPECT_EQ(settings.package_directory, "/srv/packages");
  EXPECT_EQ(settings.restore_directory, "/home/anna/.config/mbu/restored");
  EXPECT_EQ(settings.module, "package");
  EXPECT_EQ(settings.compression, "7");
  EXPECT_EQ(settings.excludes, (std::vector<std::string>{"*.tmp", "/var/cache"}));
  EXPECT_EQ(settings.watcher_module, "poll");
  EXPECT_EQ(settings.settle_ms, 1000);
  EXPECT_EQ(settings.max_delay_ms, 90'000);
  EXPECT_EQ(settings.poll_interval_ms, 5000);
  EXPECT_EQ(settings.kdf, "pbkdf2");
  EXPECT_EQ(settings.push, (std::vector<std::string>{"/mnt/disk"}));
}

TEST(Settings, LeaveAHomelessPathEmpty) {
  const Settings settings = parse_settings("[packer]\nrestore_directory = \"/r\"\n", "config.toml", {"", "/"});
  EXPECT_EQ(settings.package_directory, "");
  EXPECT_EQ(settings.restore_directory, "/r");
}

TEST(Settings, NameAnUnknownKeyAndItsLine) {
  EXPECT_EQ(refusal("[packer]\nexclude = []\npackage_dir = \"/x\"\n"), "config.toml: line 3: unknown key 'packer.package_dir'");
  EXPECT_EQ(refusal("[watcher]\n\nzeal = 1\nangst = 2\n"), "config.toml: line 3: unknown key 'watcher.zeal'");
  EXPECT_EQ(refusal("[packer]\n[wacher]\n"), "config.toml: line 2: unknown key 'wacher'");
  EXPECT_EQ(refusal("kdf = \"argon2id\"\n"), "config.toml: line 1: unknown key 'kdf'");
}

TEST(Settings, NameAWrongTypeAndItsLine) {
  EXPECT_EQ(refusal("[packer]\npackage_directory = 5\n"), "config.toml: line 2: packer.package_directory must be a string");
  EXPECT_EQ(refusal("[packer]\nexclude = \"*.o\"\n"), "config.toml: line 2: packer.exclude must be an array of strings");
  EXPECT_EQ(refusal("[packer]\nexclude = [\n\"a\",\n1]\n"), "config.toml: line 4: packer.exclude must be an array of strings");
  EXPECT_EQ(refusal("\npacker = 1\n"), "config.toml: line 2: 'packer' must be a table: [packer]");
}

TEST(Settings, NameAWrongValueAndItsLine) {
  EXPECT_EQ(refusal("[packer]\nmodule = \"tar\"\n"), "config.toml: line 2: packer.module must be \"repository\" or \"package\"");
  EXPECT_NE(refusal("[packer]\ncompression = 20\n").find("line 2: packer.compression must be"), std::string::npos);
  EXPECT_NE(refusal("[packer]\ncompression = \"best\"\n").find("line 2: packer.compression must be"), std::string::npos);
  EXPECT_NE(refusal("[packer]\nrestore_directory = \"\"\n").find("line 2: packer.restore_directory"), std::string::npos);
  EXPECT_NE(refusal("[packer]\nrestore_directory = \"~bob/x\"\n").find("line 2: packer.restore_directory"), std::string::npos);
  EXPECT_NE(refusal("[watcher]\nsettle = \"3\"\n").find("line 2: watcher.settle must be a length of time"), std::string::npos);
  EXPECT_NE(refusal("[watcher]\nsettle = 3\n").find("line 2: watcher.settle must be a string"), std::string::npos);
  EXPECT_NE(refusal("[watcher]\npoll_interval = \"0s\"\n").find("line 2: watcher.poll_interval"), std::string::npos);
  EXPECT_NE(refusal("[keys]\nkdf = \"scrypt\"\n").find("\"argon2id\" or \"pbkdf2\""), std::string::npos);
}

TEST(Settings, NameTheLineOfBrokenToml) {
  EXPECT_NE(refusal("[packer]\nmodule = \n").find("config.toml: line 2: "), std::string::npos);
  EXPECT_NE(refusal("[packer]\nmodule = \"package\"\nmodule = \"package\"\n").find("line 3"), std::string::npos);
}

TEST(Settings, AreRecognisedByTheirPackerTable) {
  EXPECT_TRUE(looks_like_settings("[packer]\n"));
  EXPECT_TRUE(looks_like_settings("packer.module = \"package\"\n"));
  EXPECT_TRUE(looks_like_settings("[packer]\nbroken"));
  EXPECT_FALSE(looks_like_settings("[build]\njobs = 2\n"));
  EXPECT_FALSE(looks_like_settings("theme: hugo"));
  EXPECT_FALSE(looks_like_settings(""));
}

}  // namespace
}  // namespace mbu::config
