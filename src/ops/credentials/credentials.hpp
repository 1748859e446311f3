// Who may open a repository: passwords of the owner, and writers' credentials. What is said here is said by a statement of the owner; no data
// is touched. One thread; nobody else uses the vault meanwhile.
//
// What is here is what statements say: a file in keys/ that none of them names is no credential, since writers can make such files. Everything that
// changes something throws Code::forbidden without the owner's keys, before anything is changed.
#pragma once

#include "mbu/types/credentials.hpp"
#include "repo/snapshots.hpp"
#include "repo/vault.hpp"

namespace mbu::ops {

// All that were added and not removed, also those whose slot is missing (`present`). Damaged slots are told.
[[nodiscard]] std::vector<CredentialInfo> list_credentials(const repo::Vault& vault, const std::function<void(const CheckReport::Finding&)>& damage);

// Another password for the owner. Code::usage when the name is taken.
CredentialInfo add_password(repo::Vault& vault, const Password& password, const CredentialOptions& options);

// The same, opened by a security key instead.
CredentialInfo add_security_key(repo::Vault& vault, keys::Authenticator& authenticator, const std::string& name);

// Throws Code::usage when it was no password that opened the vault.
void require_password(const repo::Vault& vault);

// The password that opened the vault gives way to this one; its name stays.
CredentialInfo change_password(repo::Vault& vault, const Password& password, const CredentialOptions& options);

// Admits a new writer; what his machine needs is in the file when it returns. Code::usage when the name is taken, Code::failed when the file exists
// or cannot be written: nobody is admitted then.
CredentialInfo add_writer(repo::Vault& vault, const NewWriterOptions& options);

// `text`: a name, or the beginning of an id. Of a removed writer only what is in the store now counts from then on. Code::not_found, Code::usage
// when it fits several, Code::failed for the last of the owner's.
CredentialInfo remove_credential(repo::Vault& vault, const std::string& text);

// From now on everything new is named and sealed under keys of the next generation, which all credentials that are there are given. What is there stays
// as it is, and readable. Code::failed when a writer's slot is missing: without it he could not be given them.
Rotation rotate(repo::Vault& vault);

// Snapshots by removed writers that their removals do not accept, oldest first by the time they claim.
[[nodiscard]] std::vector<repo::StoredSnapshot> list_unaccepted(const repo::Vault& vault);

// `text`: the name of a removed writer, all of whose snapshots are meant, or the beginning of one's id. They count from now on, with their packs. What was
// accepted. Code::not_found, Code::usage when an id fits several.
std::vector<repo::StoredSnapshot> accept(repo::Vault& vault, const std::string& text);

}  // namespace mbu::ops
