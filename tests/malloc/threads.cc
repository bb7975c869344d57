// SPDX-License-Identifier: MIT
// Threads, containers, exceptions, and blocks that travel from one thread to another.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

constexpr int kThreads = 6;
constexpr int kRounds = 4000;

struct alignas(128) Wide {
	char bytes[128];
};

std::mutex lock;
std::condition_variable ready;
std::deque<std::unique_ptr<std::string>> queue;
bool done;
std::atomic<unsigned long> consumed, thrown, misaligned;

int deep(int n)
{
	std::string local(static_cast<size_t>(n) + 10, 'x');

	if (n == 0)
		throw std::runtime_error("bottom of " + local);
	return deep(n - 1) + static_cast<int>(local.size());
}

void producer(int id)
{
	std::map<int, std::vector<std::string>> table;

	for (int i = 0; i < kRounds; i++) {
		table[i % 97].emplace_back(static_cast<size_t>(i % 300),
					   static_cast<char>('a' + id));
		if (table[i % 97].size() > 8)
			table.erase(i % 97);
		auto wide = std::make_unique<Wide>();
		if (reinterpret_cast<uintptr_t>(wide.get()) % alignof(Wide) != 0)
			misaligned++;
		try {
			deep(i % 20);
		} catch (const std::exception &e) {
			thrown++;
		}
		std::lock_guard<std::mutex> guard(lock);
		queue.push_back(std::make_unique<std::string>(static_cast<size_t>(i % 2000), 'q'));
		ready.notify_one();
	}
}

void consumer()
{
	std::unique_lock<std::mutex> guard(lock);

	for (;;) {
		ready.wait(guard, [] { return done || !queue.empty(); });
		if (queue.empty())
			return;
		auto item = std::move(queue.front());
		queue.pop_front();
		guard.unlock();
		item.reset();
		consumed++;
		guard.lock();
	}
}

// operator new calls malloc, runs the handler, and throws.
int handler_calls;

void handler()
{
	handler_calls++;
	std::set_new_handler(nullptr);
}

bool too_much()
{
	volatile size_t n = PTRDIFF_MAX;

	std::set_new_handler(handler);
	try {
		void *p = ::operator new(n);
		::operator delete(p);
	} catch (const std::bad_alloc &) {
		return handler_calls == 1 && ::operator new(n, std::nothrow) == nullptr;
	}
	return false;
}

} // namespace

int main()
{
	std::vector<std::thread> make, take;

	for (int i = 0; i < kThreads; i++) {
		make.emplace_back(producer, i);
		take.emplace_back(consumer);
	}
	for (auto &t : make)
		t.join();
	{
		std::lock_guard<std::mutex> guard(lock);
		done = true;
	}
	ready.notify_all();
	for (auto &t : take)
		t.join();
	std::printf("consumed %lu thrown %lu misaligned %lu bad_alloc %d\n", consumed.load(),
		    thrown.load(), misaligned.load(), too_much());
	return 0;
}
