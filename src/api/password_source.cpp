#include "mbu/password_source.hpp"

#include "keys/password_source.hpp"

namespace mbu {

Password obtain_password(PasswordSources& sources, bool fresh) { return keys::obtain_password(sources, fresh); }

}  // namespace mbu
