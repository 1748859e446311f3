#include "new_password.hpp"

#include "escape.hpp"
#include "mbu/password_source.hpp"
#include "prompt.hpp"

namespace mbu::cli {

Password new_password(Context& context, const std::string& whose) {
  PasswordSources sources;
  sources.file = context.arguments.key.new_password_file;
  if (can_prompt()) {
    sources.prompt = [&](bool fresh) { return prompt_password("new password for " + printable(whose) + ": ", fresh, context.interrupt); };
  } else if (sources.file.empty()) {
    throw Error(Code::wrong_password, "there is nobody to ask for the new password", {}, "give --new-password-file FILE");
  }
  return obtain_password(sources, true);
}

InitOptions new_kdf(const Context& context, const Session& session) {
  InitOptions kdf = context.arguments.init;
  if (!context.arguments.kdf_given && session.configuration().kdf == "pbkdf2") kdf.kdf = Kdf::pbkdf2;
  return kdf;
}

}  // namespace mbu::cli
