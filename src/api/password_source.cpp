#include "mbu/password_source.hpp"

#include "keys/password_source.hpp"

namespace mbu {

Password obtain_password(PasswordSources& sources, bool fresh) { return keys::obtain_password(sources, fresh); }

Password read_secret_file(const std::string& path, std::size_t most) { return keys::read_secret_file(path, most); }

}  // namespace mbu
